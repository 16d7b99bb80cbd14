// From a finding to the page of its cause, and through a long list of devices.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";

import { NARROW, findOverflow, paste, picture, startSite } from "./browser.mjs";
import { root } from "./service.mjs";

const example = path.join(root, "examples/founding-incident.txt");
const CAUSE = "follow_up_to_request_address";
const DEVICES = 250;

/** tcpdump's lines for many NTP clients, of which the first gets no answer. */
function crowd() {
  const lines = [];
  for (let device = 0; device < DEVICES; device += 1) {
    const seconds = String(10 + Math.floor(device / 10)).padStart(2, "0");
    const client = device === 0 ? "192.0.2.7" : `2001:db8:${device.toString(16)}::7`;
    const [family, server] = device === 0 ? ["IP", "198.51.100.10"] : ["IP6", "2001:db8:ffff::10"];
    lines.push(`10:00:${seconds}.${device % 10}00000 ${family} ${client}.50000 > ${server}.123: NTPv4, Client, length 48`);
    if (device > 0) {
      lines.push(`10:00:${seconds}.${device % 10}00400 ${family} ${server}.123 > ${client}.50000: NTPv4, Server, length 48`);
    }
  }
  lines.push("10:01:00.000000 IP 192.0.2.7.50000 > 198.51.100.10.123: NTPv4, Client, length 48");
  lines.push("10:02:00.000000 IP 192.0.2.7.50000 > 198.51.100.10.123: NTPv4, Client, length 48");
  lines.push("10:03:00.000000 IP6 2001:db8:1::7.50001 > 2001:db8:ffff::10.123: NTPv4, Client, length 48");
  lines.push("10:03:00.000400 IP6 2001:db8:ffff::10.123 > 2001:db8:1::7.50001: NTPv4, Server, length 48");
  return `${lines.join("\n")}\n`;
}

describe("causes and long lists in a browser", () => {
  const site = startSite();

  it("leads from a finding to its cause, and on to related ones", async () => {
    const tab = await site.open({ javaScriptEnabled: false });
    const { page } = tab;
    await paste(page, site.origin, await readFile(example, "utf8"));
    await page.locator(`a.cause[href='/docs/causes/${CAUSE}']`).first().click();
    await page.waitForURL(`${site.origin}/docs/causes/${CAUSE}`);
    assert.equal(await page.locator("h1").innerText(), "Follow up to request address");
    const text = await page.locator("main").innerText();
    for (const words of ["What proves it", "What would disprove it", "What looks like it, and is not", "What to do", "RFC 1350"]) {
      assert.ok(text.includes(words), words);
    }
    assert.ok(await page.locator(".ladder svg.wide").isVisible(), "the example is drawn");
    assert.ok((await page.locator("table.packets tbody tr").count()) >= 4);
    await picture(page, "cause-wide");
    await page.setViewportSize(NARROW);
    await picture(page, "cause-narrow");
    await page.getByText("The whole session").click();
    assert.match(await page.locator("details[open] pre").first().innerText(), /tcpdump -n -T tftp -i eth0/);
    await page.locator("a[href='/docs/causes/reply_source_translated']").first().click();
    await page.waitForURL(`${site.origin}/docs/causes/reply_source_translated`);
    await tab.close();
  });

  it("lists all causes, also to whoever asks for one that is none", async () => {
    const tab = await site.open({ viewport: NARROW });
    const { page } = tab;
    await page.goto(`${site.origin}/docs/causes`);
    const all = await page.locator("dl.causes dt").count();
    assert.ok(all >= 25, `${all} causes`);
    await picture(page, "causes-narrow");
    assert.ok((await findOverflow(page)) <= 0, "scrolls sideways");
    for (const place of [CAUSE, "fragments_lost", "families_differ"]) {
      await page.goto(`${site.origin}/docs/causes/${place}`);
      assert.ok((await findOverflow(page)) <= 0, `${place} scrolls sideways`);
    }
    const response = await page.goto(`${site.origin}/docs/causes/%3Cb%3Ebad%3C%2Fb%3E`);
    assert.equal(response.status(), 404);
    assert.match(await page.locator("h1").first().innerText(), /<b>bad<\/b>/);
    assert.equal(await page.locator("dl.causes dt").count(), all);
    const others = tab.faults.filter((fault) => !fault.includes("the server responded with a status of 404"));
    tab.faults.splice(0, tab.faults.length, ...others);
    await tab.close();
  });

  it("pages and filters a long list without scripts", async () => {
    const tab = await site.open({ javaScriptEnabled: false });
    const { page } = tab;
    await paste(page, site.origin, crowd());
    const report = page.url();
    const rows = page.locator("table.devices tbody tr");
    const position = page.locator(".pager .position");
    assert.equal(await rows.count(), 100);
    assert.equal(await position.innerText(), `1 to 100 of ${DEVICES} devices`);
    assert.match(await rows.first().innerText(), /unanswered[\s\S]*192\.0\.2\.7/, "the worst is first");
    await picture(page, "devices-first");
    assert.equal(await page.getByText("200 addresses").count(), 1, "a long table is folded");

    const seen = new Set(await rows.locator("td.address a").allInnerTexts());
    for (const [words, count] of [["101 to 200", 100], ["201 to 250", 50]]) {
      await page.locator(".pager a[rel=next]").click();
      await page.waitForURL(/page=\d/);
      assert.equal(await position.innerText(), `${words} of ${DEVICES} devices`);
      assert.equal(await rows.count(), count);
      for (const address of await rows.locator("td.address a").allInnerTexts()) seen.add(address);
    }
    assert.equal(seen.size, DEVICES, "each device is on one page");
    assert.equal(await page.locator(".pager a[rel=next]").count(), 0);
    await page.locator(".pager a[rel=prev]").click();
    await page.waitForURL(/page=2/);

    await page.locator("form.filter select[name=verdict]").selectOption("unanswered");
    await page.locator("form.filter button").click();
    await page.waitForURL(/verdict=unanswered/);
    assert.equal(await rows.count(), 1);
    assert.equal(await page.locator("select[name=verdict]").inputValue(), "unanswered");

    await page.getByRole("link", { name: "Show all" }).click();
    await page.waitForURL(`${report}#devices`);
    await page.locator("form.filter input[name=q]").fill("2001:DB8:f9::7");
    await page.locator("form.filter button").click();
    await page.waitForURL(/q=2001/);
    assert.equal(await rows.count(), 1);
    assert.match(await rows.first().innerText(), /2001:db8:f9::7/);
    await picture(page, "devices-filtered");
    assert.equal(await page.locator("#addresses, #captures").count(), 0, "the list alone");
    await rows.locator("a").first().click();
    await page.waitForURL(/\/devices\/2001:db8:f9::7$/);

    await page.goto(`${report}?q=nowhere`);
    assert.match(await page.locator("main").innerText(), /No device fits/);
    await tab.close();
  });
});
