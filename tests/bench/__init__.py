"""The programs that measure hold on a small scale, too."""
