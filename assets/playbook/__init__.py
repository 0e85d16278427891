"""The holiday playbook: its words (TOML), its pages (HTML, CSS), and the program that prints them."""
