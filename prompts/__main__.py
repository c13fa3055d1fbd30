"""`python -m prompts`: enters new versions into the record, and refuses texts changed under an old one."""

import json
import sys
from pathlib import Path

from prompts.catalog import (
    RECORD,
    Digests,
    Text,
    changed_without_version,
    every,
    recorded,
    unrecorded,
    with_new_versions,
)


def enter(texts: tuple[Text, ...], digests: Digests, record: Path) -> int:
    """Write the completed record to a file; 0 if it is complete, 1 if a text needs a new version number."""
    if changed := changed_without_version(texts, digests):
        sys.stderr.write(f"changed under an old version; raise `version:` in {', '.join(changed)}\n")
        return 1
    completed = json.dumps(with_new_versions(texts, digests), indent=2, sort_keys=True)
    record.write_text(completed + "\n", encoding="utf-8")
    sys.stdout.write(f"entered: {', '.join(unrecorded(texts, digests)) or 'nothing new'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(enter(every(), recorded(), Path(__file__).with_name(RECORD)))
