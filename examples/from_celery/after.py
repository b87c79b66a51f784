from pooldeck import Client

from shop import fetch, invoice

with Client() as client:
    chain = client.pipeline("order 7")
    last = chain.step(invoice, chain.step(fetch, 7))
    print(chain.submit()[last].result())
