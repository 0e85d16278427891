"""What watches Funnel from outside: alert rules for Prometheus and a dashboard for Grafana, made from its figures."""
