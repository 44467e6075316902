import { useText } from "../language";

export function Footer() {
  const { t } = useText();
  return (
    <footer>
      <p>
        {t.footer} <code>HARU_DEMO_TODAY=ROULETTE make serve</code>
      </p>
      <p>
        <a href="/graphiql">GraphiQL</a> · <a href="/web/assets/LICENSES.txt">Licenses</a>
      </p>
    </footer>
  );
}
