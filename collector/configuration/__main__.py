"""Print the JSON Schema of the configuration file, as docs/configuration.schema.json has it."""

import json
import sys

from collector.configuration import json_schema

json.dump(json_schema(), sys.stdout, indent=2)
sys.stdout.write("\n")
