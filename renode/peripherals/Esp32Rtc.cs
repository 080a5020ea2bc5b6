using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Timers
{
    // RTC controller (TRM chapters 9.2, 11.3, 31). Modelled: the software resets of OPTIONS0, RESET_STATE's cause for core 0, the
    // watchdog with its key (150 kHz), STORE0 to 7 that outlive all resets but those of the system. Stored only: CLK_CONF. Not
    // modelled: all else. A reset waits for the end of the quantum, resets every peripheral of the machine, sensors included, and
    // loads the program anew (macro reset).
    public class Esp32Rtc : IDoubleWordPeripheral, IKnownSize
    {
        public Esp32Rtc(IMachine machine)
        {
            this.machine = machine;
            IRQ = new GPIO();
            watchdog = new EspressifWatchdog(machine, this, Frequency, Act);
            registers = new EspressifRegisters(this)
                .With(Options0, 0x1C492000).With(State, 0x3000).With(IntEnable, refused: ~WatchdogInterrupt)
                .With(IntRaw, readOnly: true).With(IntStatus, readOnly: true).With(IntClear)
                .WithMany(Store0, 4).With(0x70, 0x2210).With(Watchdog0, 0x4C80).With(0x90, 0x1F400).With(0x94, 0x13880)
                .With(0x98, 0xFFF).With(0x9C, 0xFFF).With(Feed).With(Key, Unlocked).WithMany(Store4, 4);
        }

        // The cause that the next reset has; the group timers' watchdogs set theirs here.
        public void RequestReset(uint cause)
        {
            if(nextCause != 0) { return; }
            nextCause = cause;
            machine.RequestReset();
        }

        public void Reset()
        {
            var stores = new uint[8];
            for(var n = 0; n < 8; n++) { stores[n] = registers[Store(n)]; }
            registers.Reset();
            resetCause = nextCause != 0 ? nextCause : PowerOn;
            nextCause = 0;
            for(var n = 0; n < 8 && resetCause != PowerOn && resetCause != SystemWatchdog; n++) { registers[Store(n)] = stores[n]; }
            watchdog.Reset();
            IRQ.Unset();
        }

        public uint ReadDoubleWord(long offset)
        {
            if(!registers.CanRead(offset)) { return 0; }
            switch(offset)
            {
            case State: return registers[State] & ~0x3Fu | resetCause;
            case IntStatus: return registers[IntRaw] & registers[IntEnable];
            default: return registers[offset];
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            var isWatchdog = offset >= Watchdog0 && offset <= Feed;
            if(isWatchdog && registers[Key] != Unlocked)
            {
                this.Log(LogLevel.Warning, "Register at offset 0x{0:X} is write-protected: 0x{1:X} is ignored", offset, value);
                return;
            }
            if(!registers.CanWrite(offset, value)) { return; }
            registers[offset] = value;
            if(offset == Options0)
            {
                registers[Options0] = value & ~(1u << 31 | 1u << 5);
                if(value >> 31 != 0) { RequestReset(CoreSoftware); }
                else if((value >> 5 & 1) != 0) { RequestReset(CpuSoftware); }
            }
            else if(offset == IntClear) { registers[IntRaw] &= ~value; }
            else if(offset == Feed) { if(value >> 31 != 0) { watchdog.Feed(); } }
            else if(isWatchdog) { Configure(); }
            IRQ.Set((registers[IntRaw] & registers[IntEnable]) != 0);
        }

        public GPIO IRQ { get; }
        public long Size { get { return 0x400; } }

        private static long Store(int n) { return n < 4 ? Store0 + 4 * n : Store4 + 4 * (n - 4); }

        private void Configure()
        {
            var conf = registers[Watchdog0];
            var actions = new uint[4];
            var ticks = new ulong[4];
            for(var n = 0; n < 4; n++)
            {
                actions[n] = conf >> (28 - 3 * n) & 7;
                ticks[n] = registers[0x90 + 4 * n];
            }
            watchdog.Configure(conf >> 31 != 0, actions, ticks);
        }

        private void Act(uint action)
        {
            if(action == 1)
            {
                registers[IntRaw] |= WatchdogInterrupt;
                IRQ.Set((registers[IntRaw] & registers[IntEnable]) != 0);
            }
            else { RequestReset(action == 2 ? CpuWatchdog : action == 3 ? CoreWatchdog : SystemWatchdog); }
        }

        private uint nextCause, resetCause = PowerOn;
        private readonly IMachine machine;
        private readonly EspressifWatchdog watchdog;
        private readonly EspressifRegisters registers;

        private const ulong Frequency = 150000;
        private const uint PowerOn = 0x01, CoreSoftware = 0x03, CoreWatchdog = 0x09, CpuSoftware = 0x0C, CpuWatchdog = 0x0D, SystemWatchdog = 0x10;
        private const uint Unlocked = 0x50D83AA1, WatchdogInterrupt = 1 << 3;
        private const long Options0 = 0x00, State = 0x34, IntEnable = 0x3C, IntRaw = 0x40, IntStatus = 0x44, IntClear = 0x48;
        private const long Store0 = 0x4C, Store4 = 0xB0, Watchdog0 = 0x8C, Feed = 0xA0, Key = 0xA4;
    }
}
