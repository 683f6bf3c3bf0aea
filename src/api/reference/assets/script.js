/** What the reference page does beyond being read: its filter, buttons that copy, and the address in its lines. */

const address = document.getElementById('address');
if (address) address.textContent = location.origin;

for (const block of document.querySelectorAll('pre.shell')) {
  const code = block.querySelector('code');
  if (!code) continue;
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Copy';
  button.addEventListener('click', () => {
    void copied(code).then((word) => {
      button.textContent = word;
      setTimeout(() => (button.textContent = 'Copy'), 2_000);
    });
  });
  block.prepend(button);
}

/**
 * Without TLS, and away from this machine, browsers let no page write to the clipboard: then it is selected, to be copied by hand.
 * @param {Element} code
 */
async function copied(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return 'Copied';
  } catch {
    getSelection()?.selectAllChildren(code);
    return 'Selected';
  }
}

const filter = document.querySelector('#filter');
const status = document.querySelector('nav [role=status]');
const search = document.querySelector('nav search');

if (filter instanceof HTMLInputElement && status && search instanceof HTMLElement) {
  const operations = [...document.querySelectorAll('nav section li')].flatMap((item) => {
    const id = item.querySelector('a')?.hash.slice(1) ?? '';
    const article = document.getElementById(id);
    const text = article?.querySelector('header')?.textContent.toLowerCase() ?? '';
    return article && item instanceof HTMLElement ? [{ item, article, text }] : [];
  });

  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const { item, article, text } of operations) {
      const fits = words.every((word) => text.includes(word));
      item.hidden = article.hidden = !fits;
      if (fits) shown += 1;
    }
    status.textContent = filter.value.trim() === '' ? '' : `${shown} of ${operations.length} operations`;
  };

  // Who follows a link to what the filter hides wants to see it.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target?.closest('[hidden]')) return;
    filter.value = '';
    show();
    target.scrollIntoView();
  };

  filter.addEventListener('input', show);
  window.addEventListener('hashchange', reveal);
  search.hidden = false;
  // Some browsers keep what was typed when a page is loaded again.
  show();
  reveal();
}

// On a narrow screen the contents would stand before everything else.
const contents = document.querySelector('nav > details');
if (contents instanceof HTMLDetailsElement && !matchMedia('(min-width: 60rem)').matches)
  contents.open = false;
