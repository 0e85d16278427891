"""Mirror: leads as rows of the owner's Notion, and the import of an older system's leads."""
