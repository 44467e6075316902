import { useAnswer } from "../answer";
import { useText } from "../language";
import { Answered } from "../parts/problem";
import { Proofs } from "../parts/proofs";
import { WalletQuery } from "../refresh";

export function Wallet() {
  const { t, number, reward, moment } = useText();
  const heard = useAnswer(WalletQuery, {});
  return (
    <section className="card wallet" aria-labelledby="wallet">
      <h2 id="wallet">{t.wallet.title}</h2>
      <Answered heard={heard}>
        {({ balances, rewards: { nodes: lines } }) => (
          <>
            <dl>
              {balances.map(({ type, amount }) => (
                <div key={type} data-testid={type}>
                  <dt>{t.balances[type]}</dt>
                  <dd>{number(amount)}</dd>
                </div>
              ))}
            </dl>
            {lines.length === 0 && <p className="note">{t.wallet.empty}</p>}
            {lines.length > 0 && (
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
            <Proofs />
          </>
        )}
      </Answered>
    </section>
  );
}
