"""What a person types: `flask …`, each command a thin door to one flow."""
