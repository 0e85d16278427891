"""Campaigns as their files say them, and the words, states and reasons that all floors share."""
