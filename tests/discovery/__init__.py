"""Discovery: files of servers, and DNS with a name server of the tests' own."""
