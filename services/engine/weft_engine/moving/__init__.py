"""Moving live executions to another version of their workflow: looked at first, a canary ahead, stopped where it goes wrong, undone."""
