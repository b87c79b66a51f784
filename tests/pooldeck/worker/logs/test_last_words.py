"""The file of last words holds what was said latest, whole, and nothing that has been sent."""

from pathlib import Path

from pooldeck.last_words import OF_WORKER, read
from pooldeck.protocol import LogLine
from pooldeck.worker.logs.last_words import LastWords
from tests.support.driven import DrivenWorker

TASK = ("task-1", 1)


def line(n: int, message: str, *, is_open: bool = False) -> LogLine:
    return LogLine(1.5, "INFO", "stdout", message, n, is_open)


def test_lines_are_read_back_by_whose_they_are(tmp_path: Path) -> None:
    path = str(tmp_path / "words")
    words = LastWords(path, 1000)
    words.note((TASK, line(1, "one")))
    words.note((OF_WORKER, line(1, "another's")))
    words.note((TASK, line(3, "thr", is_open=True)))
    words.note((TASK, line(2, "two")))
    words.note((TASK, None, (3, "ee")))
    words.note((TASK, line(2, "two, again")))
    words.note_taken(77)

    found = read(path)
    assert found.lines[TASK] == [
        line(1, "one"),
        line(2, "two, again"),
        line(3, "three", is_open=True),
    ]
    assert found.lines[OF_WORKER] == [line(1, "another's")]
    assert found.taken == 77


def test_the_latest_words_stay_when_there_are_too_many(tmp_path: Path) -> None:
    path = str(tmp_path / "words")
    words = LastWords(path, 1000)
    for n in range(1, 20_001):
        words.note((TASK, line(n, "x" * 100)))

    numbers = [one.n for one in read(path).lines[TASK]]
    assert numbers == list(range(20_001 - len(numbers), 20_001))
    assert 4000 < len(numbers) < 20_000


def test_words_are_gone_when_all_who_spoke_have_sent_theirs(tmp_path: Path) -> None:
    path = str(tmp_path / "words")
    words = LastWords(path, 1000)
    for owner in (TASK, OF_WORKER):
        words.begin(owner)
        words.note((owner, line(1, "one")))
    words.end(TASK)
    assert set(read(path).lines) == {TASK, OF_WORKER}
    words.end(OF_WORKER)
    assert read(path).lines == {}


def test_a_file_that_is_none_of_ours_has_no_words(tmp_path: Path) -> None:
    path = tmp_path / "words"
    for content in (b"", b"PDW1", b"\xff" * 100):
        path.write_bytes(content)
        assert read(str(path)).lines == {}
    assert read(None).lines == read(str(tmp_path / "absent")).lines == {}


def test_what_follows_a_damaged_record_is_lost_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "words"
    words = LastWords(str(path), 1000)
    words.note((TASK, line(1, "one")))
    words.note((TASK, line(2, "two")))
    words.note((TASK, line(3, "three")))
    path.write_bytes(path.read_bytes().replace(b"\xa3two", b"\xc1two"))
    assert read(str(path)).lines == {TASK: [line(1, "one")]}


def test_a_forked_child_writes_nothing_into_the_file(tmp_path: Path) -> None:
    source = """
        import time
        @task
        def speak():
            print("mine")
            if os.fork() == 0:
                print("the child's")
                sys.stdout.flush()
                os._exit(0)
            os.wait()
            os.kill(os.getpid(), 9)
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.submit("speak")
        worker.process.wait(30)
        found = read(str(worker.words))
    assert [one.message for one in found.lines[TASK]] in (["mine"], ["mine", "the child's"])
    assert {one.source for one in found.lines[TASK][1:]} <= {"output"}


def test_without_room_for_the_file_all_else_goes_on(tmp_path: Path) -> None:
    words = LastWords(str(tmp_path / "absent" / "words"), 1000)
    words.begin(TASK)
    words.note((TASK, line(1, "one")))
    words.note_taken(1)
    words.end(TASK)
