"""HTTP/1.1 below the app: uvicorn's protocol, with a bound for all that one client can cost.

- `refusals`: what is answered to a request that never reaches the app
- `head`: what a head may say
- `deadlines`: how long a part of a request may take to arrive
- `writing`: how long an answer may wait for its reader, and what all that wait may take
- `socket_owners`: whose a socket on this machine is, by the kernel's word
- `peer`: whether the server's own user is at the other end
- `crowd`: how many connections there may be, in all and from each address
- `cycle`: one request, and how its answer is written
- `connection`: one connection, which keeps to all of these
"""
