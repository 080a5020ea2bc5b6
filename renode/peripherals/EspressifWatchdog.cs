using System;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Espressif
{
    // A watchdog of four stages (TRM chapter 12): counts from feeding on, stage after stage, then from the first again.
    // Actions: 0 none, 1 interrupt, 2 and up resets.
    public class EspressifWatchdog
    {
        public EspressifWatchdog(IMachine machine, IPeripheral owner, ulong frequency, Action<uint> act)
        {
            this.act = act;
            timer = new LimitTimer(machine.ClockSource, frequency, owner, "watchdog", direction: Direction.Ascending, eventEnabled: true);
            timer.LimitReached += NextStage;
        }

        public void Reset()
        {
            timer.Reset();
            timer.Enabled = false;
            enabled = false;
            stage = 0;
        }

        // ticks: of the timer's frequency.
        public void Configure(bool on, uint[] stageActions, ulong[] stageTicks)
        {
            actions = stageActions;
            ticks = stageTicks;
            if(on && enabled) { return; } // holds for the next stage
            enabled = on;
            Feed();
        }

        public void Feed()
        {
            stage = 0;
            Count();
        }

        private void Count()
        {
            timer.Enabled = false;
            if(!enabled) { return; }
            timer.Mode = WorkMode.OneShot;
            timer.Limit = Math.Max(1, ticks[stage]);
            timer.Value = 0;
            timer.Enabled = true;
        }

        private void NextStage()
        {
            var action = actions[stage];
            stage = (stage + 1) % 4;
            Count();
            if(action != 0) { act(action); }
        }

        private bool enabled;
        private int stage;
        private uint[] actions = new uint[4];
        private ulong[] ticks = new ulong[4];
        private readonly Action<uint> act;
        private readonly LimitTimer timer;
    }
}
