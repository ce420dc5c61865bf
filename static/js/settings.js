/* Says beside a slider where it stands. */

const language = document.documentElement.lang;
const written = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

for (const output of document.querySelectorAll("output[data-of]")) {
  const slider = document.getElementById(output.dataset.of);
  const say = () => { output.textContent = written.format(slider.valueAsNumber); };
  slider.addEventListener("input", say);
  say();
}
