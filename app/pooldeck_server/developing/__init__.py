"""`pooldeck dev`: a server for one's own code while it is written.

    files → changes → session → the server's API: pools replace their workers
                        ↓ starts, ends
    server (a child) → its standard output → lines of tasks → screen
                     → its stream of frames → ends of tasks → screen

The server lives as long as this process holds a lock in the data folder, however that ends.
"""
