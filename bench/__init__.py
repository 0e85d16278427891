"""Programs that measure Funnel; each prints its figures and exits with 1 where a promise does not hold."""
