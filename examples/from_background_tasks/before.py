"""An app that works after its answer: what is under way is lost with the process."""

import time

from fastapi import BackgroundTasks, FastAPI

app = FastAPI()


def send_welcome(email: str) -> str:
    time.sleep(2)  # as a mail server takes it
    return f"welcomed {email}"


@app.post("/signup")
async def signup(email: str, tasks: BackgroundTasks) -> dict[str, str]:
    tasks.add_task(send_welcome, email)
    return {"status": "we have sent you a mail"}
