"""Alerts: what can be wrong, how it is worded, and the incidents that are open."""
