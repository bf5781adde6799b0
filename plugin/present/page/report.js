/* report.js - comfort for the HTML report; without it the page is complete. SPDX-License-Identifier: GPL-2.0-or-later */
"use strict";
(function () {
    /* The details of a shape, at once and beside the pointer; the time under the pointer. */
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    document.body.append(tip);

    for (const title of document.querySelectorAll(".timeline svg title")) {
        const shape = title.parentElement;
        shape.tip = title.textContent;
        shape.setAttribute("aria-label", title.textContent);
        shape.setAttribute("data-tip", "");
        title.remove();
    }

    function show(text, x, y) {
        tip.textContent = text;
        tip.hidden = false;
        const left = Math.min(x + 14, innerWidth - tip.offsetWidth - 8);
        const below = y + 18 + tip.offsetHeight < innerHeight;
        tip.style.left = Math.max(left, 4) + "px";
        tip.style.top = (below ? y + 18 : y - tip.offsetHeight - 10) + "px";
    }

    function clock(svg, x) {
        const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width, data = svg.dataset;
        const part = ((x - box.left) * scale - data.left) / (data.right - data.left);
        if (part < 0 || part > 1) {
            return "";
        }
        const time = new Date(Number(data.from) + part * (data.to - data.from));
        return isNaN(time) ? "" : time.toISOString().slice(11, 23);
    }

    for (const svg of document.querySelectorAll(".timeline svg")) {
        svg.addEventListener("pointermove", function (event) {
            const shape = event.target.closest("[data-tip]");
            const text = shape ? shape.tip : clock(svg, event.clientX);
            if (text) {
                show(text, event.clientX, event.clientY);
            } else {
                tip.hidden = true;
            }
        });
        svg.addEventListener("pointerleave", function () {
            tip.hidden = true;
        });
        svg.addEventListener("focusin", function (event) {
            const shape = event.target.querySelector("[data-tip]");
            if (shape) {
                const box = shape.getBoundingClientRect();
                show(shape.tip, box.left, box.bottom);
            }
        });
        svg.addEventListener("focusout", function () {
            tip.hidden = true;
        });
    }

    /* A link into something that is folded away opens it. */
    function open() {
        const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
        let opened = false;
        for (let at = target; at; at = at.parentElement) {
            if (at.tagName === "DETAILS" && !at.open) {
                at.open = opened = true;
            }
        }
        if (opened) {
            target.scrollIntoView();
        }
    }
    addEventListener("hashchange", open);
    open();

    /* Rows of the table that hold a word. */
    const section = document.getElementById("tunnels"), rows = document.querySelectorAll("table.tunnels tbody tr");
    if (section && rows.length > 5) {
        const field = document.createElement("input");
        field.type = "search";
        field.placeholder = "Filter: address, identity, state, finding";
        field.setAttribute("aria-label", field.placeholder);
        field.addEventListener("input", function () {
            const wanted = field.value.toLowerCase();
            for (const row of rows) {
                row.hidden = !row.textContent.toLowerCase().includes(wanted);
            }
            const quiet = section.querySelector("details.quiet");
            if (quiet && wanted) {
                quiet.open = true;
            }
        });
        section.querySelector("h2").after(field);
    }
}());
