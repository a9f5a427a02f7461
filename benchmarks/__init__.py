"""Side by side with what users would pick instead; `make bench` runs all. Ratios of one run count, not seconds."""
