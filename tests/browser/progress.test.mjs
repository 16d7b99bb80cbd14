// How far an upload is, shown while it runs.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { before, describe, it } from "node:test";

import { NARROW, WIDE, findOverflow, openPage, picture, startSite } from "./browser.mjs";
import { root, startService } from "./service.mjs";

const lab = path.join(root, "tests/fixtures/lab/founding/host.pcap");
const PCAP_HEADER_BYTES = 24;
const CAPTURE_BYTES = 8 << 20;
/** Bytes a second: a few seconds for the whole capture. */
const PACE = 1 << 20;

/** The capture, its packets repeated until it is large enough to take its time. */
async function largeCapture() {
  const bytes = await readFile(lab);
  const packets = bytes.subarray(PCAP_HEADER_BYTES);
  const times = Math.ceil(CAPTURE_BYTES / packets.length);
  return Buffer.concat([bytes.subarray(0, PCAP_HEADER_BYTES), ...Array(times).fill(packets)]);
}

async function slowDown(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: PACE,
  });
}

describe("the progress of an upload in a browser", () => {
  const site = startSite();
  let file;

  before(async () => {
    file = { name: "large.pcap", mimeType: "application/octet-stream", buffer: await largeCapture() };
  });

  for (const [size, viewport] of [["wide", WIDE], ["narrow", NARROW]]) {
    it(`is a bar that moves, ${viewport.width} px wide, and is on the analysis' own page`, async () => {
      const tab = await site.open({ viewport });
      const { page } = tab;
      await page.goto(`${site.origin}/`);
      assert.ok(await page.locator("#progress").isHidden(), "there is nothing to show yet");
      await page.locator("input[type=file][name=capture]").setInputFiles(file);
      await slowDown(page);
      const sending = page.waitForRequest((request) => request.method() === "POST");
      await page.locator("#upload button[type=submit]").click();
      const id = new URL((await sending).url()).searchParams.get("id");
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);

      const values = [];
      const bar = page.getByRole("progressbar", { name: "Receiving" });
      await page.waitForFunction(() => {
        const one = document.getElementById("progress-bar");
        return one.position > 0 && /packets: [1-9]/.test(document.getElementById("progress-text").textContent);
      });
      values.push(await bar.evaluate((one) => one.position));
      await picture(page, `progress-${size}`, { fullPage: false });
      assert.ok(await page.locator("#upload button[type=submit]").isDisabled(), "one upload at a time");
      assert.match(await page.locator("#progress-text").innerText(), /iB of 8\.\d MiB \(\d+ %\), packets: [\d,]+$/);
      assert.match(await page.locator("#progress-live[aria-live=polite]").textContent(), /^Receiving, \d+ percent$/);
      assert.ok((await findOverflow(page)) <= 0, "scrolls sideways");

      // Others look at its page: with a script, and without.
      const watchers = await Promise.all(
        [true, false].map(async (javaScriptEnabled) => {
          const watcher = await site.open({ viewport, javaScriptEnabled });
          const response = await watcher.page.goto(`${site.origin}/analyses/${id}`);
          assert.equal(response.status(), 202);
          assert.match(await watcher.page.locator("h1").innerText(), /runs/);
          return watcher;
        }),
      );
      await picture(watchers[1].page, `running-${size}`);
      values.push(await bar.evaluate((one) => one.position));
      assert.ok(values[0] < values[1] && values[1] < 1, `it moves: ${values}`);

      await page.waitForURL(`${site.origin}/analyses/${id}`);
      assert.match(await page.locator("h1").innerText(), /2000::65/);
      for (const watcher of watchers) {
        await watcher.page.locator(".hero .verdict").waitFor();
        await watcher.close();
      }
      await tab.close();
    });
  }

  it("ends an upload that is cancelled, and keeps the form", async () => {
    const tab = await site.open();
    const { page } = tab;
    await page.goto(`${site.origin}/`);
    await page.locator("input[type=file][name=capture]").setInputFiles(file);
    await slowDown(page);
    const sending = page.waitForRequest((request) => request.method() === "POST");
    const failed = page.waitForEvent("requestfailed", (request) => request.method() === "POST");
    await page.locator("#upload button[type=submit]").click();
    const id = new URL((await sending).url()).searchParams.get("id");
    await page.waitForFunction(() => document.getElementById("progress-bar").position > 0);
    await page.getByRole("button", { name: "Cancel" }).click();
    await failed;
    assert.ok(await page.locator("#progress").isHidden());
    assert.ok(await page.locator("#upload button[type=submit]").isEnabled(), "it can be sent again");
    assert.equal(page.url(), `${site.origin}/`);
    // The service gives it up as well.
    const patience = Date.now() + 20_000;
    let status = 202;
    while (status === 202 && Date.now() < patience) {
      status = (await fetch(`${site.origin}/api/v1/analyses/${id}`)).status;
    }
    assert.equal(status, 404);
    tab.faults.length = 0;
    await tab.close();
  });

  it("keeps the form where the service cannot be reached", async () => {
    const lost = await startService();
    const tab = await openPage(site.browser, lost.origin);
    const { page } = tab;
    await page.goto(`${lost.origin}/`);
    await page.locator("textarea[name=text]").fill("some text");
    await lost.stop();
    await page.locator("#upload button[type=submit]").click();
    await page.locator("#progress-problem").waitFor();
    assert.match(await page.locator("[role=alert]").innerText(), /Not sent/);
    assert.equal(await page.locator("textarea[name=text]").inputValue(), "some text");
    assert.ok(await page.locator("#upload button[type=submit]").isEnabled(), "it can be tried again");
    tab.faults.length = 0;
    await tab.close();
  });
});
