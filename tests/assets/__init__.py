"""The playbook and what it is printed from."""
