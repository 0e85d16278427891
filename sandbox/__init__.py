"""Stand-ins for Notion and Resend over HTTP, for the demo and the tests; never part of the product."""
