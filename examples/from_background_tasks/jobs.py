import time

from pooldeck import task


@task(pool="io", retries=3)
def send_welcome(email: str) -> str:
    time.sleep(2)  # as a mail server takes it
    return f"welcomed {email}"
