"""Pull requests: a repository is read, the result goes to a branch, the request is opened, renewed or closed."""
