"""Large arguments and results by reference: a task takes and gives addresses, not what is there.

An address is anything that fsspec opens: a path that all hosts see, `s3://bucket/key`, `gs://…`.
`pip install fsspec`, and s3fs, gcsfs or the like for what the addresses are of.
"""

import json
from collections import Counter
from typing import Final

import fsspec

from pooldeck import current_task, task

_OFTEN: Final = 1000


@task(pool="big", idempotent=True, needs={"memory_gb": 1})
def count_words(source: str, target: str) -> str:
    """Count the words of a text, and write how often the most frequent ones are there.

    Each attempt writes under a name of its own, and moves what is whole to its place: whoever reads
    `target` finds one attempt's work or another's, and never half of it.
    """
    with fsspec.open(source, "rt", encoding="utf-8") as lines:
        counts = Counter(word.lower() for line in lines for word in line.split())
    me = current_task()
    draft = f"{target}.{me.id}.{me.attempt}"
    with fsspec.open(draft, "wt", encoding="utf-8") as file:
        json.dump(dict(counts.most_common(_OFTEN)), file)
    files, path = fsspec.core.url_to_fs(draft)
    files.mv(path, path.removesuffix(f".{me.id}.{me.attempt}"))
    return target
