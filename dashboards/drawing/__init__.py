"""Pictures of the boards for the documentation: what Grafana would show, drawn from a database's answers.

Nothing that runs imports this. `asking` and what it stands on ask as Grafana does, for the tests as well.
"""
