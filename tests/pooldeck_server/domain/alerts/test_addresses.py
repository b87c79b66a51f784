"""Which addresses a webhook may lead to, however they are written."""

from ipaddress import ip_network

import pytest

from pooldeck_server.domain.alerts.addresses import is_allowed

REFUSED = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "3fff::1",
    "3fff:fff:ffff::1",
)
PUBLIC = ("8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_allowed(address, ())


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_allowed(address, ())


def test_a_listed_network_is_allowed_in_each_way_of_writing_it_and_no_other_is() -> None:
    listed = [ip_network("10.1.0.0/16")]
    assert is_allowed("10.1.2.3", listed)
    assert is_allowed("::ffff:10.1.2.3", listed)
    assert is_allowed("64:ff9b::a01:203", listed)
    assert not is_allowed("10.2.0.1", listed)
    assert not is_allowed("127.0.0.1", listed)
