"""The doctor's checks, grouped by subject: functions from the collaborators to findings."""
