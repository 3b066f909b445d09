"""Write the JSON schemas of docs/schemas: `python docs/make_schemas.py` in the project's folder."""

import json
from pathlib import Path

from anonlab.formats.schemas import schemas

FOLDER = Path(__file__).with_name("schemas")
FOLDER.mkdir(exist_ok=True)
for name, schema in schemas().items():
    text = json.dumps(schema, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
