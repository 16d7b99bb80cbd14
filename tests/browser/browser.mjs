// A headless browser that keeps account of what a page must not do.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before } from "node:test";

import { chromium } from "playwright-core";

import { root, startService } from "./service.mjs";

const screenshots = path.join(root, "target/screenshots");

export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 390, height: 844 };

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // Chromium's own sandbox does not start for root, as in containers.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  });
}

/**
 * Starts the real service and a browser before the tests of a suite, and ends both after
 * them. What it returns can be used in tests only.
 */
export function startSite() {
  const site = {
    /** A page of the service, as `openPage` opens it. */
    open: (options) => openPage(site.browser, site.origin, options),
  };
  let service;
  before(async () => {
    service = await startService();
    site.origin = service.origin;
    site.browser = await startBrowser();
  });
  after(async () => {
    await site.browser?.close();
    if (service) assert.equal(await service.stop(), 0, "SIGTERM ends the service with code 0");
  });
  return site;
}

/**
 * Opens a page whose console errors, policy violations, failed loads and
 * requests to other hosts are kept; `check` fails where there were any.
 */
export async function openPage(browser, origin, options = {}) {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => {
    // The browser asks for an icon by itself; that there is none is no fault of the page.
    if (message.type() === "error" && !message.location().url.endsWith("/favicon.ico")) {
      faults.push(`console: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) faults.push(`request to another host: ${url}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return {
    page,
    faults,
    check: () => assert.deepEqual(faults, []),
    async close() {
      await context.close();
      assert.deepEqual(faults, []);
    },
  };
}

/** Pastes a session into the form of the first page and submits it. */
export async function paste(page, origin, text) {
  await page.goto(`${origin}/`);
  await page.locator("textarea[name=text]").fill(text);
  await submit(page);
}

export async function submit(page) {
  await Promise.all([
    page.waitForURL(/\/analyses/),
    page.locator("form[action='/analyses'] button[type=submit]").click(),
  ]);
}

/** Keeps a picture under target/screenshots. */
export async function picture(page, name, { fullPage = true } = {}) {
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage });
}

/**
 * Which of `words` can be read without scrolling. A word counts where it stands
 * alone: `2000::65:21` is not found in `2000::65:213`.
 */
export function findAboveFold(page, words) {
  return page.evaluate((wanted) => {
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!node.parentElement.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      for (const word of wanted) {
        const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
        const match = new RegExp(`(?<![\\w:.])${escaped}(?![\\w:]*\\w)`, "i").exec(node.data);
        if (!match) continue;
        const range = document.createRange();
        range.setStart(node, match.index);
        range.setEnd(node, match.index + match[0].length);
        const isInView = [...range.getClientRects()].some(
          (box) =>
            box.width > 0 && box.height > 0 && box.top >= 0 && box.left >= 0 &&
            box.bottom <= innerHeight && box.right <= innerWidth,
        );
        if (isInView) found.add(word);
      }
    }
    return wanted.filter((word) => found.has(word));
  }, words);
}

/** How many pixels the page is wider than the window. */
export function findOverflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}
