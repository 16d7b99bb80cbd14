// What goes wrong is said on a page, with what to do about it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";

import { picture, startSite, submit } from "./browser.mjs";
import { root } from "./service.mjs";

const capture = path.join(root, "tests/fixtures/lab/founding/host.pcap");
const MARKUP = `<img src=x onerror=alert(1)>"'&.pcap`;

describe("problems in a browser", () => {
  const site = startSite();

  /** Sends the form, whose problem is told beside it. */
  const refuse = async (page) => {
    await page.locator("form[action='/analyses'] button[type=submit]").click();
    await page.locator("#progress-problem").waitFor();
  };

  /** Errors of the page itself; that a problem's status is an error is meant. */
  const others = (faults) => faults.filter((fault) => !fault.includes("the server responded with a status of 4"));

  it("explains input that is no capture", async () => {
    const cases = [
      ["photo.jpg", Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1])],
      ["prose.txt", Buffer.from("The backup failed. Nobody knows why.\n")],
      [MARKUP, Buffer.from("no packets in here\n")],
    ];
    for (const [name, buffer] of cases) {
      // Without a script the answer is a page of its own.
      for (const javaScriptEnabled of [false, true]) {
        const tab = await site.open({ javaScriptEnabled });
        await tab.page.goto(`${site.origin}/`);
        await tab.page
          .locator("input[type=file][name=capture]")
          .setInputFiles({ name, mimeType: "application/octet-stream", buffer });
        await (javaScriptEnabled ? refuse(tab.page) : submit(tab.page));
        const text = await tab.page.locator("main").innerText();
        assert.match(text, /tcpdump/, `${name}: what to do is said`);
        assert.doesNotMatch(text, /HTTP status 404/, name);
        if (javaScriptEnabled) {
          assert.equal(tab.page.url(), `${site.origin}/`, "the form is still there");
          const chosen = await tab.page.locator("input[name=capture]").evaluate((input) => input.files[0].name);
          assert.equal(chosen, name);
        } else {
          assert.match(text, /HTTP status 400/, name);
        }
        assert.equal(await tab.page.locator("img[src=x]").count(), 0, "a name brings no markup");
        assert.ok((await tab.page.locator("a[href='/']").count()) > 0, "there is a way back");
        const shown = name === MARKUP ? "markup" : path.parse(name).name;
        await picture(tab.page, `problem-${shown}${javaScriptEnabled ? "-in-place" : ""}`);
        assert.deepEqual(others(tab.faults), []);
        tab.faults.length = 0;
        await tab.close();
      }
    }
  });

  it("answers an empty form, an unknown report and an unknown path with a page", async () => {
    const tab = await site.open();
    const { page } = tab;
    await page.goto(`${site.origin}/`);
    await page.locator("input[name=title]").fill("kept");
    page.on("request", (request) => assert.notEqual(request.method(), "POST", "an empty form is not sent"));
    await refuse(page);
    assert.match(await page.locator("#progress-problem").innerText(), /Nothing to analyse.*Choose a capture file/s);
    assert.equal(await page.locator("input[name=title]").inputValue(), "kept");
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

  it("keeps the status of an analysis that failed on its page", async () => {
    const tab = await site.open();
    await tab.page.goto(`${site.origin}/`);
    const id = "01940000-0000-7000-8000-00000000aaaa";
    const status = await tab.page.evaluate(
      async (target) => (await fetch(target, { method: "POST", body: "no packets" })).status,
      `/api/v1/analyses?id=${id}`,
    );
    assert.ok([400, 415].includes(status), `${status}`);
    const response = await tab.page.goto(`${site.origin}/analyses/${id}`);
    assert.equal(response.status(), 404);
    assert.match(await tab.page.locator("main").innerText(), new RegExp(`HTTP status ${status}`));
    tab.faults.length = 0;
    await tab.close();
  });

  it("takes a file that is dropped beside the field", async () => {
    const tab = await site.open();
    await tab.page.goto(`${site.origin}/`);
    const input = tab.page.locator("input[type=file][name=capture]");
    await input.setInputFiles({ name: "chosen.pcap", mimeType: "application/octet-stream", buffer: Buffer.from("x") });
    const names = await tab.page.evaluate(() => {
      const dropped = new DataTransfer();
      dropped.items.add(new File(["x"], "dropped.pcap"));
      const event = new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true });
      document.querySelector("h1").dispatchEvent(event);
      const names = [...document.querySelector("input[name=capture]").files].map((file) => file.name);
      return event.defaultPrevented ? names : "the browser opens it";
    });
    assert.deepEqual(names, ["chosen.pcap", "dropped.pcap"]);
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
