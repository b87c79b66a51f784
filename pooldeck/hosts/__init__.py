"""Pools on other machines.

A host is a machine that lends slots to a pool of a server. Its process dials the server, runs a
pool of its own, and passes on what that tells. The server asks it through a `RemotePool`, which
answers as a local pool does.

    server                                         host
    RemotePool                                     Host --> Pool --> workers
      --> HostBoots                                  |  |
        --> HostLink <== frames, TLS ==> Membership <+  +--> keeper: ends the workers
            Line, ServerLease            Line, HostLease     with the lease

A call is posted to one boot of a host, which is one run of its process. It goes to no other one
before the first is certainly gone, or has given the call back: no call is started twice.
"""
