using System.Collections.Generic;
using System.Linq;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Espressif;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Timers
{
    // System timer (TRM chapter 10): two 52-bit counters at 16 MHz from virtual time, each stopped, started and loaded by
    // software; three comparators at a value or with a period. Modelled: all registers but the stalling bits of CONF. A
    // period begins anew when its counter is loaded or started; on the chip it goes on.
    public class Esp32c3SystemTimer : IDoubleWordPeripheral, IKnownSize, INumberedGPIOOutput
    {
        public Esp32c3SystemTimer(IMachine machine)
        {
            this.machine = machine;
            Connections = Enumerable.Range(0, Comparators).ToDictionary(n => n, n => (IGPIO)new GPIO());
            timers = new LimitTimer[Comparators];
            for(var i = 0; i < Comparators; i++)
            {
                var n = i;
                timers[i] = new LimitTimer(machine.ClockSource, Frequency, this, "target" + i, direction: Direction.Ascending, eventEnabled: true);
                timers[i].LimitReached += () => Fire(n);
            }
            registers = new EspressifRegisters(this)
                .With(Conf, 0x46000000, 1).With(0x04).With(0x08).WithMany(0x0C, 4).WithMany(Target, 6).WithMany(TargetConf, 3)
                .WithMany(0x40, 4, readOnly: true).WithMany(0x50, 3).With(0x5C).With(0x60)
                .With(IntEnable).With(IntRaw, readOnly: true).With(IntClear).With(IntStatus, readOnly: true)
                .With(0xFC, 0x02006171, readOnly: true);
            runs[0] = true;
        }

        public void Reset()
        {
            registers.Reset();
            for(var unit = 0; unit < 2; unit++)
            {
                runs[unit] = unit == 0;
                snapshot[unit] = 0;
                Load(unit, 0);
            }
            for(var n = 0; n < Comparators; n++)
            {
                works[n] = false;
                timers[n].Reset();
                timers[n].Enabled = false;
            }
            Update();
        }

        public uint ReadDoubleWord(long offset)
        {
            if(!registers.CanRead(offset)) { return 0; }
            switch(offset)
            {
            case 0x04:
            case 0x08: return Valid;
            case 0x40: return (uint)(snapshot[0] >> 32);
            case 0x44: return (uint)snapshot[0];
            case 0x48: return (uint)(snapshot[1] >> 32);
            case 0x4C: return (uint)snapshot[1];
            case IntStatus: return registers[IntRaw] & registers[IntEnable];
            default: return registers[offset];
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            if(offset == IntClear)
            {
                registers[IntRaw] &= ~value;
                Update();
                return;
            }
            registers[offset] = value;
            if(offset == Conf) { Configure(); }
            else if(offset == 0x04 || offset == 0x08)
            {
                var unit = (int)(offset - 0x04) / 4;
                if((value & TakeValue) != 0) { snapshot[unit] = Value(unit); }
            }
            else if(offset == 0x5C || offset == 0x60)
            {
                var unit = (int)(offset - 0x5C) / 4;
                if((value & 1) != 0)
                {
                    Load(unit, (ulong)(registers[0x0C + 8 * unit] & 0xFFFFF) << 32 | registers[0x10 + 8 * unit]);
                    ArmAll(false);
                }
            }
            else if(offset >= 0x50 && offset < 0x5C && (value & 1) != 0) { Arm((int)(offset - 0x50) / 4, true); }
            Update();
        }

        public long Size { get { return 0x1000; } }
        public IReadOnlyDictionary<int, IGPIO> Connections { get; }

        private void Configure()
        {
            var conf = registers[Conf];
            for(var unit = 0; unit < 2; unit++)
            {
                var on = (conf >> (30 - unit) & 1) != 0;
                if(on != runs[unit])
                {
                    var value = Value(unit);
                    runs[unit] = on;
                    Load(unit, value);
                    ArmAll(false);
                }
            }
            for(var n = 0; n < Comparators; n++)
            {
                var on = (conf >> (24 - n) & 1) != 0;
                if(on != works[n])
                {
                    works[n] = on;
                    Arm(n, true);
                }
            }
        }

        private void ArmAll(bool anew)
        {
            for(var n = 0; n < Comparators; n++) { Arm(n, anew); }
        }

        // anew: the comparator takes over its target or begins its period; else it waits on for the value it has.
        private void Arm(int n, bool anew)
        {
            var timer = timers[n];
            var period = registers[TargetConf + 4 * n] & 0x3FFFFFF;
            var isPeriodic = (registers[TargetConf + 4 * n] & PeriodMode) != 0;
            if(anew)
            {
                isDue[n] = works[n] && (!isPeriodic || period != 0);
                due[n] = (ulong)(registers[Target + 8 * n] & 0xFFFFF) << 32 | registers[Target + 4 + 8 * n];
            }
            timer.Enabled = false;
            if(!isDue[n] || !runs[Unit(n)]) { return; }
            var now = Value(Unit(n));
            if(!isPeriodic && due[n] <= now)
            {
                Fire(n);
                return;
            }
            timer.Mode = isPeriodic ? WorkMode.Periodic : WorkMode.OneShot;
            timer.Limit = isPeriodic ? period : due[n] - now;
            timer.Value = 0;
            timer.Enabled = true;
        }

        private void Fire(int n)
        {
            registers[IntRaw] |= 1u << n;
            isDue[n] = (registers[TargetConf + 4 * n] & PeriodMode) != 0;
            Update();
        }

        private int Unit(int n) { return (int)(registers[TargetConf + 4 * n] >> 31); }

        private ulong Value(int unit) { return (runs[unit] ? Now() - loaded[unit] : loaded[unit]) & Mask; }

        private void Load(int unit, ulong value) { loaded[unit] = runs[unit] ? Now() - value : value; }

        private ulong Now()
        {
            ICPU cpu;
            if(machine.SystemBus.TryGetCurrentCPU(out cpu)) { cpu.SyncTime(); }
            return machine.ElapsedVirtualTime.TimeElapsed.TotalNanoseconds * 2 / 125; // 16 MHz
        }

        private void Update()
        {
            foreach(var c in Connections) { c.Value.Set((registers[IntRaw] & registers[IntEnable] & 1u << c.Key) != 0); }
        }

        private readonly IMachine machine;
        private readonly EspressifRegisters registers;
        private readonly LimitTimer[] timers;
        private readonly bool[] runs = new bool[2];
        private readonly ulong[] loaded = new ulong[2]; // a counter's value while it stands; while it runs what Now() was at 0
        private readonly ulong[] snapshot = new ulong[2];
        private readonly bool[] works = new bool[Comparators];
        private readonly bool[] isDue = new bool[Comparators];
        private readonly ulong[] due = new ulong[Comparators]; // the counter's value at which it fires, without a period

        private const int Comparators = 3;
        private const ulong Frequency = 16000000, Mask = (1ul << 52) - 1;
        private const uint TakeValue = 1u << 30, Valid = 1u << 29, PeriodMode = 1u << 30;
        private const long Conf = 0x00, Target = 0x1C, TargetConf = 0x34;
        private const long IntEnable = 0x64, IntRaw = 0x68, IntClear = 0x6C, IntStatus = 0x70;
    }
}
