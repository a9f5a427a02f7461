"""Take readings elsewhere: line protocol to InfluxDB and Telegraf, an exposition to Prometheus."""
