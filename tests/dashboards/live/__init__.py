"""Every query of every board, asked of real databases that a simulated cluster's collector fills."""
