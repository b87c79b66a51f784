"""Fields for what nobody may see: not over a shoulder, and not in a page that comes back."""

import re

from playwright.sync_api import Browser, expect

from tests.support.serving import Serving


def test_a_secret_is_masked_as_it_is_typed_and_typed_again_after_a_mistake(
    browser: Browser, shown: Serving
) -> None:
    with browser.new_page(base_url=str(shown.client.base_url)) as page:
        page.goto("/functions/shown.log_in")
        user, secret = (page.get_by_label(re.compile(f"^{name}")) for name in ("user", "secret"))
        masked = "element => getComputedStyle(element).webkitTextSecurity"
        assert (secret.evaluate(masked), user.evaluate(masked)) == ("disc", "none")

        user.fill("ann")
        secret.fill("my secret")
        page.locator("#options summary").click()
        page.locator("#priority").fill("very")
        page.get_by_role("button", name="Submit task").click()

        expect(page.get_by_text("Type it again")).to_be_visible()
        expect(user).to_have_value("ann")
        expect(secret).to_have_value("")
        assert "my secret" not in page.content()
