import { useState } from "react";
import type { RewardType } from "../graphql";
import { isNothing, useText } from "../language";

interface Segment {
  id: string;
  slot: number;
  isJackpot: boolean;
  reward: { type: RewardType; amount: number };
}

interface Drawn {
  id: string;
  segment: { slot: number };
}

/** A wheel of equal slices: how likely each is, the table beside it says. It turns on whenever another spin is drawn. */
export function Wheel({ segments, drawn }: { segments: Segment[]; drawn: Drawn | null }) {
  const { t } = useText();
  const [{ spin, turns }, setSpun] = useState<{ spin: string | undefined; turns: number }>({ spin: undefined, turns: 0 });
  if (drawn && drawn.id !== spin) setSpun({ spin: drawn.id, turns: turns + 5 });
  const slice = 360 / segments.length;
  const rotation = drawn ? turns * 360 - (drawn.segment.slot + 0.5) * slice : 0;
  return (
    <div className="wheel">
      <svg viewBox="-100 -100 200 200" role="img" aria-label={t.roulette.wheel}>
        <g className="disc" style={{ transform: `rotate(${rotation}deg)` }}>
          {segments.map((segment) => (
            <g key={segment.id} transform={`rotate(${(segment.slot + 0.5) * slice})`} data-jackpot={segment.isJackpot}>
              <path d={`M0 0L${edge(-slice / 2)}A96 96 0 0 1 ${edge(slice / 2)}Z`} data-even={segment.slot % 2 === 0} />
              <SliceText reward={segment.reward} />
            </g>
          ))}
        </g>
        <circle r="97" className="rim" />
        <circle r="15" className="hub" />
        <path className="pointer" d="M-9 -100h18L0 -80Z" />
      </svg>
    </div>
  );
}

/** A point on the rim, by its angle from the top. */
function edge(degrees: number): string {
  const radians = (degrees * Math.PI) / 180;
  return `${(96 * Math.sin(radians)).toFixed(3)} ${(-96 * Math.cos(radians)).toFixed(3)}`;
}

function SliceText({ reward }: { reward: Segment["reward"] }) {
  const { t, number } = useText();
  const nothing = isNothing(reward);
  return (
    <text textAnchor="middle">
      {!nothing && (
        <tspan x="0" y="-62">
          {number(reward.amount)}
        </tspan>
      )}
      <tspan x="0" y={nothing ? -60 : -49} className="unit">
        {nothing ? t.nothing : t.unit(reward.type, reward.amount)}
      </tspan>
    </text>
  );
}
