import { useQuery } from "urql";
import { useText } from "../language";
import { asFault, Problem } from "../parts/problem";
import { WalletQuery } from "../shared";

export function Wallet() {
  const { t, number, reward, moment } = useText();
  const [{ data, error }] = useQuery({ query: WalletQuery });
  const lines = data?.me.rewards.nodes;
  return (
    <section className="card wallet" aria-labelledby="wallet">
      <h2 id="wallet">{t.wallet.title}</h2>
      {error && <Problem fault={asFault(error)} />}
      <dl>
        {data?.me.balances.map(({ type, amount }) => (
          <div key={type} data-testid={type}>
            <dt>{t.balances[type]}</dt>
            <dd>{number(amount)}</dd>
          </div>
        ))}
      </dl>
      {lines?.length === 0 && <p className="note">{t.wallet.empty}</p>}
      {lines && lines.length > 0 && (
        <>
          <h3>{t.wallet.history}</h3>
          <ul>
            {lines.map((line) => (
              <li key={line.id}>
                <span>{t.wallet.causes[line.cause] ?? line.cause}</span>
                <b>
                  {line.amount > 0 && "+"}
                  {line.type === "COUPON" ? (line.couponCode ?? reward(line)) : reward(line)}
                </b>
                <small>{moment(line.createdAt)}</small>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
