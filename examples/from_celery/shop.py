from pooldeck import task


@task(pool="io", retries=3)
def fetch(number: int) -> dict[str, int]:
    return {"number": number, "cents": 1250}


@task(pool="cpu", timeout=60)
def invoice(order: dict[str, int]) -> str:
    return f"order {order['number']}: {order['cents'] / 100:.2f}"
