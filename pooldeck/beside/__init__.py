"""A server beside one's program: started as its child, found again, and gone with it.

User code never shares the server's process. `child` starts it, `attachment` keeps it for as long as
somebody uses it, however that ends; `server` is for scripts and notebooks, `deck` for web apps.
"""
