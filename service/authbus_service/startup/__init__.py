"""What has to be true before the first command is read, and who makes it true."""
