// What goes wrong is said on a page, with what to do about it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";

import { paste, picture, startSite, submit } from "./browser.mjs";
import { root } from "./service.mjs";

const capture = path.join(root, "tests/fixtures/lab/founding/host.pcap");
const MARKUP = `<img src=x onerror=alert(1)>"'&.pcap`;

describe("problems in a browser", () => {
  const site = startSite();

  /** Errors of the page itself; that a problem's status is an error is meant. */
  const others = (faults) => faults.filter((fault) => !fault.includes("the server responded with a status of 4"));

  it("explains input that is no capture", async () => {
    const cases = [
      ["photo.jpg", Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1])],
      ["prose.txt", Buffer.from("The backup failed. Nobody knows why.\n")],
      [MARKUP, Buffer.from("no packets in here\n")],
    ];
    for (const [name, buffer] of cases) {
      const tab = await site.open();
      await tab.page.goto(`${site.origin}/`);
      await tab.page
        .locator("input[type=file][name=capture]")
        .setInputFiles({ name, mimeType: "application/octet-stream", buffer });
      await submit(tab.page);
      const text = await tab.page.locator("body").innerText();
      assert.match(text, /tcpdump/, `${name}: what to do is said`);
      assert.equal(await tab.page.locator("img[src=x]").count(), 0, "a name brings no markup");
      assert.ok((await tab.page.locator("a[href='/']").count()) > 0, "there is a way back");
      await picture(tab.page, name === MARKUP ? "problem-markup" : `problem-${path.parse(name).name}`);
      assert.deepEqual(others(tab.faults), []);
      tab.faults.length = 0;
      await tab.close();
    }
  });

  it("answers an empty form, an unknown report and an unknown path with a page", async () => {
    const tab = await site.open();
    const { page } = tab;
    await paste(page, site.origin, "");
    assert.ok((await page.locator("main").innerText()).length > 20);
    await picture(page, "problem-empty");
    for (const place of ["/analyses/00000000-0000-7000-8000-000000000000", "/analyses/x", "/nowhere", "/devices/x"]) {
      const response = await page.goto(`${site.origin}${place}`);
      assert.ok(response.status() >= 400 && response.status() < 500, `${place}: ${response.status()}`);
      assert.match(response.headers()["content-type"], /^text\/html/, place);
      assert.ok((await page.locator("main").innerText()).length > 20, place);
    }
    assert.deepEqual(others(tab.faults), []);
    tab.faults.length = 0;
    await tab.close();
  });

  it("shows a file name with markup as text", async () => {
    const tab = await site.open();
    await tab.page.goto(`${site.origin}/`);
    await tab.page
      .locator("input[type=file][name=capture]")
      .setInputFiles({ name: MARKUP, mimeType: "application/octet-stream", buffer: await readFile(capture) });
    await submit(tab.page);
    assert.equal(await tab.page.locator("img[src=x]").count(), 0);
    assert.match(await tab.page.locator("body").innerText(), /onerror=alert\(1\)/);
    await tab.page.goto(`${site.origin}/`);
    assert.equal(await tab.page.locator("img[src=x]").count(), 0);
    await tab.close();
  });

  it("serves the API's documentation without another host", async () => {
    const tab = await site.open();
    await tab.page.goto(`${site.origin}/docs`);
    await tab.page.getByText("/api/v1/analyses").first().waitFor({ timeout: 20_000 });
    await picture(tab.page, "docs", { fullPage: false });
    // Swagger UI sets one inline style that the policy blocks and nobody misses.
    const faults = tab.faults.filter((fault) => !/inline style|style-src/.test(fault));
    assert.deepEqual(faults, []);
    tab.faults.length = 0;
    await tab.close();
  });
});
