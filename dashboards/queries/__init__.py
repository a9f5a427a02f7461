"""What dashboards and alerts ask: expressions over the catalogue, in PromQL, InfluxQL and Flux."""
