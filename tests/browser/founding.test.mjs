// The founding case, pasted into the page by someone who has never seen it.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { before, describe, it } from "node:test";

import { NARROW, WIDE, findAboveFold, findOverflow, paste, picture, startSite, submit } from "./browser.mjs";
import { root } from "./service.mjs";

const ASKED = "2000::65:21";
const ANSWERED = "2000::65:13";
const DEVICE = "2000::65:119";
const ANSWER = ["broken", DEVICE, ASKED, ANSWERED];

const article = path.join(root, "../shared/incident/founding-incident.txt");
const example = path.join(root, "examples/founding-incident.txt");
const lab = path.join(root, "tests/fixtures/lab/founding");

describe("the founding case in a browser", () => {
  const site = startSite();
  let sessions;

  before(async () => {
    sessions = { example: await readFile(example, "utf8") };
    if (existsSync(article)) {
      sessions.article = await readFile(article, "utf8");
    } else {
      console.log("skipped: the pasted article: ../shared/incident is not there; the example is pasted");
    }
  });

  for (const [size, viewport] of [["wide", WIDE], ["narrow", NARROW]]) {
    it(`shows the answer without scrolling, ${viewport.width} px wide`, async () => {
      for (const [name, text] of Object.entries(sessions)) {
        const tab = await site.open({ viewport });
        await paste(tab.page, site.origin, text);
        await picture(tab.page, `report-${name}-${size}`);
        await picture(tab.page, `report-${name}-${size}-fold`, { fullPage: false });
        assert.match(tab.page.url(), /\/analyses\/[0-9a-f-]{36}$/);
        assert.deepEqual(await findAboveFold(tab.page, ANSWER), ANSWER, `${name}, ${size}`);
        assert.ok((await findOverflow(tab.page)) <= 0, `${name}, ${size}: scrolls sideways`);
        await tab.close();
      }
    });
  }

  it("says what happened, and why, in the page's text", async () => {
    const tab = await site.open();
    await paste(tab.page, site.origin, sessions.article ?? sessions.example);
    const text = await tab.page.locator("main").innerText();
    for (const word of ["port unreachable", "VIP", "node3", "192.168.101.254", "tolerated"]) {
      assert.ok(text.toLowerCase().includes(word.toLowerCase()), `'${word}' is not on the page`);
    }
    assert.equal(await tab.page.locator("h1").count(), 1);
    assert.ok((await tab.page.title()).length > 0);
    assert.ok(await tab.page.locator("html[lang]").count(), "the page names its language");
    await tab.close();
  });

  it("works without JavaScript", async () => {
    for (const [size, viewport] of [["wide", WIDE], ["narrow", NARROW]]) {
      const tab = await site.open({ viewport, javaScriptEnabled: false });
      await paste(tab.page, site.origin, sessions.article ?? sessions.example);
      await picture(tab.page, `report-without-javascript-${size}`);
      const text = await tab.page.locator("body").innerText();
      for (const word of ANSWER) assert.ok(text.toLowerCase().includes(word), `'${word}' is not on the page`);
      await tab.close();
    }
  });

  it("works in the dark", async () => {
    const tab = await site.open({ colorScheme: "dark" });
    await paste(tab.page, site.origin, sessions.example);
    await picture(tab.page, "report-dark");
    await tab.close();
  });

  it("can be used with the keyboard alone", async () => {
    const tab = await site.open();
    const { page } = tab;
    await page.goto(`${site.origin}/`);
    await picture(page, "home-wide");
    const focus = (selector) => page.evaluate((wanted) => document.activeElement?.matches(wanted), selector);
    const reach = async (selector) => {
      for (let presses = 0; presses < 40; presses += 1) {
        if (await focus(selector)) return;
        await page.keyboard.press("Tab");
      }
      assert.fail(`Tab does not reach ${selector}`);
    };
    await reach("textarea[name=text]");
    await page.keyboard.insertText(sessions.example);
    await reach("form[action='/analyses'] button[type=submit]");
    await Promise.all([page.waitForURL(/\/analyses\//), page.keyboard.press("Enter")]);
    // Every link and fold of the report can be reached, and none holds the focus.
    const expected = await page.locator("main :is(a[href], summary)").evaluateAll(
      (all) => all.filter((one) => one.checkVisibility()).length,
    );
    const reached = new Set();
    for (let presses = 0; presses < expected + 40; presses += 1) {
      await page.keyboard.press("Tab");
      const place = await page.evaluate(() => {
        const one = document.activeElement;
        if (!one?.matches("main :is(a[href], summary)")) return null;
        const outline = getComputedStyle(one);
        const isMarked = outline.outlineStyle !== "none" || outline.boxShadow !== "none";
        return { index: [...document.querySelectorAll("main *")].indexOf(one), isMarked };
      });
      if (!place) continue;
      assert.ok(place.isMarked, "the focused element is not marked");
      reached.add(place.index);
    }
    assert.equal(reached.size, expected, "links and folds that Tab reaches");
    if (await page.locator("main summary").count()) {
      const fold = page.locator("main details").first();
      const wasOpen = await fold.evaluate((one) => one.open);
      await fold.locator("summary").first().focus();
      await page.keyboard.press("Enter");
      assert.equal(await fold.evaluate((one) => one.open), !wasOpen, "Enter opens and closes a fold");
    }
    await tab.close();
  });

  it("takes captures and inventories as files", async () => {
    const tab = await site.open();
    const { page } = tab;
    await page.goto(`${site.origin}/`);
    await page.locator("input[type=file][name=capture]").setInputFiles(
      ["host.pcap", "pod.pcap"].map((name) => path.join(lab, name)),
    );
    await page.locator("input[type=file][name=inventory]").setInputFiles(
      ["ip-addr.txt", "ip-route.txt", "pods.txt", "services.txt"].map((name) => path.join(lab, name)),
    );
    await submit(page);
    await picture(page, "report-files-wide");
    assert.deepEqual(await findAboveFold(page, ANSWER), ANSWER);
    await tab.close();
  });

  it("leads to the device's own pages", async () => {
    const tab = await site.open();
    const { page } = tab;
    await paste(page, site.origin, sessions.example);
    const report = page.url();
    for (const [name, url] of [
      ["device-part", `${report}/devices/${DEVICE}`],
      ["device-history", `${site.origin}/devices/${DEVICE}`],
    ]) {
      const response = await page.goto(url);
      assert.equal(response.status(), 200, url);
      assert.deepEqual(await findAboveFold(page, ["broken", DEVICE]), ["broken", DEVICE], url);
      await picture(page, name);
    }
    await page.setViewportSize(NARROW);
    await picture(page, "device-history-narrow");
    assert.ok((await findOverflow(page)) <= 0, "scrolls sideways");
    await tab.close();
  });

  it("shows recent analyses on the first page", async () => {
    const tab = await site.open({ viewport: NARROW });
    await paste(tab.page, site.origin, sessions.example);
    const place = new URL(tab.page.url()).pathname;
    await tab.page.goto(`${site.origin}/`);
    assert.ok((await tab.page.locator(`a[href='${place}']`).count()) > 0, "the new report is linked");
    assert.ok((await findOverflow(tab.page)) <= 0, "scrolls sideways");
    await picture(tab.page, "home-narrow");
    await tab.close();
  });
});
