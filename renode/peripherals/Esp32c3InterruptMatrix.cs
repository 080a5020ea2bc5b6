using System.Collections.Generic;
using System.Linq;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.IRQControllers
{
    // Interrupt matrix (TRM chapter 8): 62 sources to 31 lines of the CPU, level and edge. Modelled: all of its registers
    // that software uses; CLOCK_GATE is stored. A line is asserted when it is enabled and its priority is neither 0 nor
    // below the threshold; of several the one of highest priority (then lowest number), which is the next to be taken.
    // Renode's CPU takes lines 3, 7, 11 and 12 to 30 only.
    public class Esp32c3InterruptMatrix : IDoubleWordPeripheral, IKnownSize, IGPIOReceiver, INumberedGPIOOutput
    {
        public Esp32c3InterruptMatrix()
        {
            Connections = Enumerable.Range(1, LineCount - 1).ToDictionary(n => n, n => (IGPIO)new GPIO());
            registers = new EspressifRegisters(this)
                .WithMany(0, SourceCount).With(Status0, readOnly: true).With(Status1, readOnly: true).With(0x100, 1)
                .With(Enable).With(Type).With(Clear).With(Pending, readOnly: true)
                .WithMany(Priority, LineCount).With(Threshold);
        }

        public void Reset()
        {
            registers.Reset();
            System.Array.Clear(source, 0, SourceCount);
            latched = 0;
            Update();
        }

        public void OnGPIO(int number, bool value)
        {
            if(value && !source[number])
            {
                latched |= 1u << Line(number);
            }
            source[number] = value;
            Update();
        }

        public uint ReadDoubleWord(long offset)
        {
            if(!registers.CanRead(offset)) { return 0; }
            switch(offset)
            {
            case Status0: return Levels(0);
            case Status1: return Levels(32);
            case Pending: return Waiting();
            default: return registers[offset];
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            if(offset == Clear) { latched &= ~value; }
            registers[offset] = value;
            Update();
        }

        // The line that is asserted; 0 for none.
        public int Asserted { get; private set; }

        public long Size { get { return 0x1000; } }
        public IReadOnlyDictionary<int, IGPIO> Connections { get; }

        private int Line(int number) { return (int)(registers[4 * number] & 31); }

        private uint Levels(int first)
        {
            uint value = 0;
            for(var i = 0; i < 32 && first + i < SourceCount; i++) { value |= source[first + i] ? 1u << i : 0; }
            return value;
        }

        private uint Waiting()
        {
            uint level = 0;
            for(var i = 0; i < SourceCount; i++) { level |= source[i] ? 1u << Line(i) : 0; }
            var edges = registers[Type];
            return ((level & ~edges) | (latched & edges)) & ~1u;
        }

        private void Update()
        {
            var waiting = Waiting() & registers[Enable];
            var threshold = registers[Threshold] & 15;
            uint highest = 0;
            Asserted = 0;
            for(var n = 1; n < LineCount; n++)
            {
                var priority = registers[Priority + 4 * n] & 15;
                if((waiting >> n & 1) != 0 && priority >= threshold && priority > highest)
                {
                    highest = priority;
                    Asserted = n;
                }
            }
            foreach(var connection in Connections) { connection.Value.Set(connection.Key == Asserted); }
        }

        private uint latched;
        private readonly bool[] source = new bool[SourceCount];
        private readonly EspressifRegisters registers;

        private const int SourceCount = 62, LineCount = 32;
        private const long Status0 = 0xF8, Status1 = 0xFC, Enable = 0x104, Type = 0x108, Clear = 0x10C, Pending = 0x110;
        private const long Priority = 0x114, Threshold = 0x194;
    }
}
