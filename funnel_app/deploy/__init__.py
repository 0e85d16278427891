"""Deployment: compare a Coolify with coolify.json and apply the differences; make a `.env`."""
