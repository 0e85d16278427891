"""The ledger's leads as rows of the owner's Notion, and leads of an older system taken over."""
