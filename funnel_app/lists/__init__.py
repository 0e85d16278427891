"""Lists of leads as other programs write them: what a file of rows says, in whatever form it comes; pure."""
