from fastapi import FastAPI
from pooldeck.fastapi import Tasks

from jobs import send_welcome

app = FastAPI()


@app.post("/signup")
async def signup(email: str, tasks: Tasks) -> dict[str, str]:
    tasks.add(send_welcome, email)
    return {"status": "we have sent you a mail"}
