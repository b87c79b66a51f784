"""Two tasks and a chain, as Celery has them: with a broker, a worker and a result backend."""

from celery import Celery, chain

app = Celery("shop", broker="redis://localhost", backend="redis://localhost")


@app.task(autoretry_for=(ConnectionError,), max_retries=3, retry_backoff=True)
def fetch(number: int) -> dict[str, int]:
    return {"number": number, "cents": 1250}


@app.task(time_limit=60)
def invoice(order: dict[str, int]) -> str:
    return f"order {order['number']}: {order['cents'] / 100:.2f}"


if __name__ == "__main__":
    print(chain(fetch.s(7), invoice.s()).delay().get())
