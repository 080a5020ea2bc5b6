using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Espressif;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Timers
{
    // Timer group (TRM chapter 18). Modelled: timers 0 and 1, counting up at 80 MHz through their divider, with alarm, reload by
    // software and by the alarm, and interrupts by level; the main watchdog with its key. Not modelled: counting down, interrupts
    // by edge, the low-speed timer and the calibration of the RTC's clock.
    public class Esp32TimerGroup : IDoubleWordPeripheral, IKnownSize, INumberedGPIOOutput
    {
        // number: 0 or 1. rtc: gets the requests to reset. Outputs: timers 0 and 1, watchdog.
        public Esp32TimerGroup(IMachine machine, int number, Esp32Rtc rtc)
        {
            this.number = number;
            this.rtc = rtc;
            this.machine = machine;
            Connections = new System.Collections.Generic.Dictionary<int, IGPIO> { { 0, new GPIO() }, { 1, new GPIO() }, { 2, new GPIO() } };
            watchdog = new EspressifWatchdog(machine, this, ApbFrequency, Act);
            registers = new EspressifRegisters(this);
            for(var n = 0; n < 2; n++)
            {
                var first = TimerBytes * n;
                registers.With(first, Config0, 1u << 12).With(first + Low, readOnly: true).With(first + High, readOnly: true)
                    .With(first + Capture).WithMany(first + AlarmLow, 2).WithMany(first + LoadLow, 2).With(first + LoadNow);
                timers[n] = new Counter();
                var timer = timers[n];
                var index = n;
                timer.Alarm = new LimitTimer(machine.ClockSource, ApbFrequency, this, "timer" + n, direction: Direction.Ascending, eventEnabled: true);
                timer.Alarm.LimitReached += () => Reached(index);
            }
            registers.With(Watchdog0, 0x0004C000).With(Prescaler, 0x00010000).With(0x50, 0x018CBA80).With(0x54, 0x07FFFFFF)
                .With(0x58, 0x000FFFFF).With(0x5C, 0x000FFFFF).With(Feed).With(Key, Unlocked)
                .With(IntEnable, refused: ~7u).With(IntRaw, readOnly: true).With(IntStatus, readOnly: true).With(IntClear)
                .With(0xF8, 0x01604290, readOnly: true);
            Reset();
        }

        public void Reset()
        {
            registers.Reset();
            watchdog.Reset();
            foreach(var timer in timers)
            {
                timer.Alarm.Reset();
                timer.Alarm.Enabled = false;
                timer.Base = 0;
                timer.Since = 0;
            }
            Update();
        }

        public uint ReadDoubleWord(long offset)
        {
            if(!registers.CanRead(offset)) { return 0; }
            return offset == IntStatus ? registers[IntRaw] & registers[IntEnable] : registers[offset];
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(offset >= Watchdog0 && offset <= Feed && registers[Key] != Unlocked)
            {
                this.Log(LogLevel.Warning, "Register at offset 0x{0:X} is write-protected: 0x{1:X} is ignored", offset, value);
                return;
            }
            if(!registers.CanWrite(offset, value)) { return; }
            if(offset < 2 * TimerBytes) { WriteTimer((int)(offset / TimerBytes), offset % TimerBytes, value); }
            else
            {
                registers[offset] = value;
                if(offset == Feed) { watchdog.Feed(); }
                else if(offset >= Watchdog0 && offset < Feed) { Configure(); }
                else if(offset == IntClear) { registers[IntRaw] &= ~value; }
            }
            Update();
        }

        public System.Collections.Generic.IReadOnlyDictionary<int, IGPIO> Connections { get; }
        public long Size { get { return 0x1000; } }

        private void WriteTimer(int n, long offset, uint value)
        {
            var timer = timers[n];
            var first = TimerBytes * n;
            switch(offset)
            {
            case 0:
                if((value & Increase) == 0) { this.Log(LogLevel.Warning, "Timer {0}: counting down is not modelled", n); }
                timer.Base = Count(n);
                timer.Since = Ticks();
                registers[first] = value;
                Arm(n);
                break;
            case Capture: // bit 31 is clear again at once
                var count = Count(n);
                registers[first + Low] = (uint)count;
                registers[first + High] = (uint)(count >> 32);
                break;
            case LoadNow:
                timer.Base = Pair(first + LoadLow);
                timer.Since = Ticks();
                Arm(n);
                break;
            default:
                registers[first + offset] = value;
                Arm(n);
                break;
            }
        }

        private ulong Pair(long low) { return registers[low] | (ulong)registers[low + 4] << 32; }

        private bool Runs(int n) { return registers[TimerBytes * n] >> 31 != 0; }

        private ulong Divider(int n)
        {
            var divider = registers[TimerBytes * n] >> 13 & 0xFFFF;
            return divider == 0 ? 65536u : divider < 2 ? 2u : divider;
        }

        // Time in cycles of the bus, 80 MHz.
        private ulong Ticks()
        {
            ICPU cpu;
            if(machine.SystemBus.TryGetCurrentCPU(out cpu)) { cpu.SyncTime(); }
            return machine.ElapsedVirtualTime.TimeElapsed.TotalNanoseconds * 2 / 25;
        }

        private ulong Count(int n) { return timers[n].Base + (Runs(n) ? (Ticks() - timers[n].Since) / Divider(n) : 0); }

        private void Arm(int n)
        {
            var timer = timers[n];
            timer.Alarm.Enabled = false;
            if(!Runs(n) || (registers[TimerBytes * n] & AlarmEnable) == 0) { return; }
            var count = Count(n);
            var alarm = Pair(TimerBytes * n + AlarmLow);
            var since = (Ticks() - timer.Since) % Divider(n);
            timer.Alarm.Mode = WorkMode.OneShot;
            timer.Alarm.Limit = alarm > count ? (alarm - count) * Divider(n) - since : 1;
            timer.Alarm.Value = 0;
            timer.Alarm.Enabled = true;
        }

        private void Reached(int n)
        {
            var timer = timers[n];
            var first = TimerBytes * n;
            registers[first] &= ~AlarmEnable;
            if((registers[first] & AutoReload) != 0)
            {
                // From the alarm's own time on, not from when it is looked at: the period does not grow.
                timer.Since += (Pair(first + AlarmLow) - timer.Base) * Divider(n);
                timer.Base = Pair(first + LoadLow);
            }
            if((registers[first] & LevelInterrupt) != 0) { registers[IntRaw] |= 1u << n; }
            Update();
        }

        private void Configure()
        {
            var conf = registers[Watchdog0];
            var actions = new uint[4];
            var ticks = new ulong[4];
            var divider = (ulong)(registers[Prescaler] >> 16);
            for(var n = 0; n < 4; n++)
            {
                actions[n] = conf >> (29 - 2 * n) & 3;
                ticks[n] = registers[0x50 + 4 * n] * (divider == 0 ? 1 : divider);
            }
            watchdog.Configure(conf >> 31 != 0, actions, ticks);
        }

        private void Act(uint action)
        {
            if(action == 1)
            {
                registers[IntRaw] |= 4;
                Update();
            }
            else { rtc.RequestReset(action == 2 ? 0x0Bu : 0x07u + (uint)number); }
        }

        private void Update()
        {
            var on = registers[IntRaw] & registers[IntEnable];
            foreach(var connection in Connections) { connection.Value.Set((on >> connection.Key & 1) != 0); }
        }

        private readonly int number;
        private readonly Esp32Rtc rtc;
        private readonly IMachine machine;
        private readonly EspressifWatchdog watchdog;
        private readonly EspressifRegisters registers;
        private readonly Counter[] timers = new Counter[2];

        private const uint ApbFrequency = 80000000, Unlocked = 0x50D83AA1, Config0 = 0x60002000;
        private const uint Increase = 1u << 30, AutoReload = 1u << 29, LevelInterrupt = 1u << 11, AlarmEnable = 1u << 10;
        private const long TimerBytes = 0x24, Low = 0x04, High = 0x08, Capture = 0x0C, AlarmLow = 0x10, LoadLow = 0x18, LoadNow = 0x20;
        private const long Watchdog0 = 0x48, Prescaler = 0x4C, Feed = 0x60, Key = 0x64;
        private const long IntEnable = 0x98, IntRaw = 0x9C, IntStatus = 0xA0, IntClear = 0xA4;

        private class Counter
        {
            public LimitTimer Alarm;
            public ulong Base; // what it held
            public ulong Since; // at this time
        }
    }
}
